! SPDX-License-Identifier: MIT
!> The ladder of forces and the integrator that climbs it, for any number of levels.
!>
!> One level is velocity Verlet or BAOAB. Two levels are RESPA or BAOAB-RESPA with the difference force outside
!> (Tuckerman, Berne and Martyna, J. Chem. Phys. 97, 1990 (1992); Cattin et al., arXiv:2510.06562, Algorithm 1).
module fennix_ladder
   use fennix_kinds, only : dp
   use fennix_error, only : error_type
   use fennix_cell, only : cell_type
   use fennix_atoms, only : atoms_type
   use fennix_domain, only : domain_type, redistribute
   use fennix_levels, only : evaluate_level, follow, level_type, look, rebuild
   use fennix_motion, only : motion_type
   use fennix_propagate, only : drift, kick, kick_difference
   use fennix_thermostat, only : thermostat_type
   use fennix_timer, only : timer_halo, timer_integrate, timer_type
   implicit none
   private
   public :: ladder_type, outer_step, evaluate_all, update_level, move_house

   type :: ladder_type
      !> Outermost (accurate) first
      type(level_type), allocatable :: levels(:)
      !> Acts in the middle of the innermost step
      class(thermostat_type), allocatable :: thermostat
      !> Largest difference force per atom in an outer kick, kcal/mol/Å, 0 = no cap
      real(dp) :: force_cap = 0.0_dp
   end type ladder_type

contains


!> One step of the outermost level
subroutine outer_step(self, domain, atoms, cell, dt, asked, motion, timer, error)
   type(ladder_type), intent(inout) :: self
   type(domain_type), intent(inout) :: domain
   type(atoms_type), intent(inout) :: atoms
   type(cell_type), intent(in) :: cell
   !> Outer time step, ps
   real(dp), intent(in) :: dt
   !> Energy and virial of the accurate level at the end of the step are wanted
   logical, intent(in) :: asked
   type(motion_type), intent(inout) :: motion
   type(timer_type), intent(inout) :: timer
   type(error_type), allocatable, intent(out) :: error

   call step(self, 1, domain, atoms, cell, dt, asked, motion, timer, error)
end subroutine outer_step


!> One step of level k: half kick, the step inside, new force, half kick
recursive subroutine step(self, k, domain, atoms, cell, dt, asked, motion, timer, error)
   type(ladder_type), intent(inout) :: self
   !> Level, 1 = outermost
   integer, intent(in) :: k
   type(domain_type), intent(inout) :: domain
   type(atoms_type), intent(inout) :: atoms
   type(cell_type), intent(in) :: cell
   !> Time step of this level, ps
   real(dp), intent(in) :: dt
   logical, intent(in) :: asked
   type(motion_type), intent(inout) :: motion
   type(timer_type), intent(inout) :: timer
   type(error_type), allocatable, intent(out) :: error
   integer :: isub, n

   call half_kick(self, k, atoms, dt, motion, timer)
   if (k == size(self%levels)) then
      call timer%start(timer_integrate)
      call drift(atoms, 0.5_dp*dt)
      call self%thermostat%apply(atoms, dt, motion)
      call drift(atoms, 0.5_dp*dt)
      motion%inner_step = motion%inner_step + 1
      call timer%stop(timer_integrate)
   else
      n = self%levels(k + 1)%substeps
      do isub = 1, n
         call step(self, k + 1, domain, atoms, cell, dt/n, .false., motion, timer, error)
         if (allocated(error)) return
      end do
   end if
   call update_level(self, k, domain, atoms, cell, k == 1, timer, error)
   if (.not. allocated(error)) then
      call evaluate_level(self%levels(k), domain, cell, motion%inner_step, asked, timer, error)
   end if
   if (allocated(error)) return
   call half_kick(self, k, atoms, dt, motion, timer)
end subroutine step


!> v += dt/2m (F_k - F_{k+1}); the innermost level has nothing inside it to subtract
subroutine half_kick(self, k, atoms, dt, motion, timer)
   type(ladder_type), intent(in) :: self
   integer, intent(in) :: k
   type(atoms_type), intent(inout) :: atoms
   real(dp), intent(in) :: dt
   type(motion_type), intent(inout) :: motion
   type(timer_type), intent(inout) :: timer

   call timer%start(timer_integrate)
   if (k == size(self%levels)) then
      call kick(atoms, self%levels(k)%forces, 0.5_dp*dt)
   else
      call kick_difference(atoms, self%levels(k)%forces, self%levels(k + 1)%forces, 0.5_dp*dt, self%force_cap, &
         & motion%n_capped)
   end if
   call timer%stop(timer_integrate)
end subroutine half_kick


!> Bring what a level sees up to the present positions. Where atoms may change rank, they do so before the list is
!> built anew, and all forces go along.
subroutine update_level(self, k, domain, atoms, cell, may_migrate, timer, error)
   type(ladder_type), intent(inout) :: self
   integer, intent(in) :: k
   type(domain_type), intent(inout) :: domain
   type(atoms_type), intent(inout) :: atoms
   type(cell_type), intent(in) :: cell
   logical, intent(in) :: may_migrate
   type(timer_type), intent(inout) :: timer
   type(error_type), allocatable, intent(out) :: error
   logical :: is_expired

   call look(self%levels(k), domain, cell, atoms, is_expired, timer, error)
   if (allocated(error)) return
   if (is_expired) then
      if (may_migrate) call move_house(self, domain, atoms, cell, timer)
      call rebuild(self%levels(k), domain, cell, atoms, timer)
   else
      call follow(self%levels(k), atoms, timer)
   end if
end subroutine update_level


!> Atoms, with the forces of all levels, to the ranks that own their places
subroutine move_house(self, domain, atoms, cell, timer)
   type(ladder_type), intent(inout) :: self
   type(domain_type), intent(inout) :: domain
   type(atoms_type), intent(inout) :: atoms
   type(cell_type), intent(in) :: cell
   type(timer_type), intent(inout) :: timer
   real(dp), allocatable :: forces(:, :)
   integer :: k, n_moved

   if (domain%comm%size == 1) return
   call timer%start(timer_halo)
   allocate(forces(3*size(self%levels), atoms%n), source=0.0_dp)
   do k = 1, size(self%levels)
      if (size(self%levels(k)%forces, 2) == atoms%n) forces(3*k - 2:3*k, :) = self%levels(k)%forces
   end do
   call redistribute(domain, cell, atoms, forces, n_moved)
   if (n_moved > 0) then
      do k = 1, size(self%levels)
         self%levels(k)%forces = forces(3*k - 2:3*k, :)
         self%levels(k)%pairs%stale = .true.
      end do
   end if
   call timer%stop(timer_halo)
end subroutine move_house


!> Forces of every level at the present positions, wherever those are
subroutine evaluate_all(self, domain, atoms, cell, motion, timer, error)
   type(ladder_type), intent(inout) :: self
   type(domain_type), intent(inout) :: domain
   type(atoms_type), intent(inout) :: atoms
   type(cell_type), intent(in) :: cell
   type(motion_type), intent(in) :: motion
   type(timer_type), intent(inout) :: timer
   type(error_type), allocatable, intent(out) :: error
   integer :: k

   call move_house(self, domain, atoms, cell, timer)
   do k = size(self%levels), 1, -1
      call update_level(self, k, domain, atoms, cell, .false., timer, error)
      if (allocated(error)) return
      call evaluate_level(self%levels(k), domain, cell, motion%inner_step, .true., timer, error)
      if (allocated(error)) return
   end do
end subroutine evaluate_all

end module fennix_ladder
