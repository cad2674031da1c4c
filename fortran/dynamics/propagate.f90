! SPDX-License-Identifier: MIT
!> Kick and drift, the two exact flows of the splitting.
module fennix_propagate
   use fennix_kinds, only : dp, i8
   use fennix_atoms, only : atoms_type
   use fennix_units, only : accel_factor
   implicit none
   private
   public :: drift, kick, kick_difference

contains


!> x += t v
pure subroutine drift(atoms, t)
   type(atoms_type), intent(inout) :: atoms
   !> ps
   real(dp), intent(in) :: t

   atoms%position = atoms%position + t*atoms%velocity
end subroutine drift


!> v += t F/m
pure subroutine kick(atoms, forces, t)
   type(atoms_type), intent(inout) :: atoms
   !> kcal/mol/Å, (3, n)
   real(dp), intent(in) :: forces(:, :)
   !> ps
   real(dp), intent(in) :: t
   integer :: iat

   do iat = 1, atoms%n
      atoms%velocity(:, iat) = atoms%velocity(:, iat) + (t*accel_factor/atoms%mass(iat))*forces(:, iat)
   end do
end subroutine kick


!> v += t (F - Fs)/m, where the difference of an atom longer than the cap is shortened to it
pure subroutine kick_difference(atoms, forces, forces_inside, t, cap, n_capped)
   type(atoms_type), intent(inout) :: atoms
   !> Forces of this level and of the level inside it, kcal/mol/Å, (3, n)
   real(dp), intent(in) :: forces(:, :), forces_inside(:, :)
   !> ps
   real(dp), intent(in) :: t
   !> kcal/mol/Å, 0 = no cap
   real(dp), intent(in) :: cap
   !> Counts shortened differences
   integer(i8), intent(inout) :: n_capped
   real(dp) :: difference(3), length
   integer :: iat

   do iat = 1, atoms%n
      difference = forces(:, iat) - forces_inside(:, iat)
      if (cap > 0.0_dp) then
         length = norm2(difference)
         if (length > cap) then
            difference = difference*(cap/length)
            n_capped = n_capped + 1
         end if
      end if
      atoms%velocity(:, iat) = atoms%velocity(:, iat) + (t*accel_factor/atoms%mass(iat))*difference
   end do
end subroutine kick_difference

end module fennix_propagate
