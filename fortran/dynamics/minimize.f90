! SPDX-License-Identifier: MIT
!> The FIRE minimiser: damped dynamics that speeds up while it goes downhill.
!> Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006); restart rule of Guénolé et al., Comput. Mater. Sci. 175,
!> 109584 (2020).
module fennix_minimize
   use fennix_kinds, only : dp, i4
   use fennix_comm, only : comm_type, max_all, sum_all
   use fennix_atoms, only : atoms_type
   implicit none
   private
   public :: fire_type, fire_move, rms_force, largest_force

   !> All masses are one: positions in Å, forces in kcal/mol/Å, the time step carries the scale
   type :: fire_type
      !> Fictitious velocities, (3, n)
      real(dp), allocatable :: velocity(:, :)
      real(dp) :: dt = 0.02_dp
      real(dp) :: mixing = 0.1_dp
      !> Moves downhill since the last uphill one
      integer :: n_downhill = 0
   end type fire_type

   real(dp), parameter :: dt_largest = 0.1_dp, dt_smallest = 1.0e-4_dp
   real(dp), parameter :: faster = 1.1_dp, slower = 0.5_dp, mixing_start = 0.1_dp, mixing_decay = 0.99_dp
   integer, parameter :: delay = 5
   !> No atom moves farther than this at once, Å
   real(dp), parameter :: longest_move = 0.1_dp

contains


!> Move the atoms once along the forces; all ranks call this together
subroutine fire_move(self, comm, atoms, forces)
   type(fire_type), intent(inout) :: self
   type(comm_type), intent(in) :: comm
   type(atoms_type), intent(inout) :: atoms
   !> On own atoms, kcal/mol/Å, (3, n)
   real(dp), intent(in) :: forces(:, :)
   real(dp) :: power(1), longest(1), squares(2)

   if (.not. allocated(self%velocity)) allocate(self%velocity(3, atoms%n), source=0.0_dp)
   power = sum(self%velocity*forces)
   call sum_all(comm, power)
   if (power(1) > 0.0_dp) then
      self%n_downhill = self%n_downhill + 1
      if (self%n_downhill > delay) then
         self%dt = min(self%dt*faster, dt_largest)
         self%mixing = self%mixing*mixing_decay
      end if
   else if (self%n_downhill > 0 .or. power(1) < 0.0_dp) then
      ! Half a step back, since the minimum along the path lies behind (Guénolé 2020)
      atoms%position = atoms%position - 0.5_dp*self%dt*self%velocity
      self%velocity = 0.0_dp
      self%n_downhill = 0
      self%dt = max(self%dt*slower, dt_smallest)
      self%mixing = mixing_start
   end if
   self%velocity = self%velocity + self%dt*forces
   squares = [sum(forces**2), sum(self%velocity**2)]
   call sum_all(comm, squares)
   if (squares(1) > 0.0_dp) then
      self%velocity = (1.0_dp - self%mixing)*self%velocity + self%mixing*sqrt(squares(2)/squares(1))*forces
   end if
   longest = 0.0_dp
   if (atoms%n > 0) longest = self%dt*maxval(norm2(self%velocity, dim=1))
   call max_all(comm, longest)
   if (longest(1) > longest_move) self%velocity = self%velocity*(longest_move/longest(1))
   atoms%position = atoms%position + self%dt*self%velocity
end subroutine fire_move


!> Root mean square force per degree of freedom, kcal/mol/Å; all ranks call this together
function rms_force(comm, forces)
   type(comm_type), intent(in) :: comm
   !> On own atoms, (3, n)
   real(dp), intent(in) :: forces(:, :)
   real(dp) :: rms_force
   real(dp) :: sums(2)

   sums = [sum(forces**2), real(size(forces), dp)]
   call sum_all(comm, sums)
   rms_force = sqrt(sums(1)/max(1.0_dp, sums(2)))
end function rms_force


!> The atom with the longest force, and its length, of all ranks, which call this together
subroutine largest_force(comm, id, forces, atom, length)
   type(comm_type), intent(in) :: comm
   !> Zero-based global ids of own atoms, (n)
   integer(i4), intent(in) :: id(:)
   !> kcal/mol/Å, (3, n)
   real(dp), intent(in) :: forces(:, :)
   !> One-based global number
   integer, intent(out) :: atom
   !> kcal/mol/Å
   real(dp), intent(out) :: length
   real(dp) :: longest(1), first(1)
   integer :: mine

   longest = 0.0_dp
   mine = 0
   if (size(id) > 0) then
      mine = maxloc(norm2(forces, dim=1), dim=1)
      longest = norm2(forces(:, mine))
   end if
   length = longest(1)
   call max_all(comm, longest)
   ! Of several with the same force, the first
   first = -huge(1.0_dp)
   if (mine > 0 .and. length >= longest(1)) first = -real(id(max(1, mine)), dp)
   call max_all(comm, first)
   length = longest(1)
   atom = nint(-first(1)) + 1
end subroutine largest_force

end module fennix_minimize
