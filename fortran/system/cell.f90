! SPDX-License-Identifier: MIT
!> The simulation cell: lattice vectors, volume, wrapping.
module fennix_cell
   use fennix_kinds, only : dp
   use fennix_error, only : error_type, fatal_error
   implicit none
   private
   public :: cell_type, new_cell, new_cell_from_vectors, open_cell, volume, widths, lengths_and_angles, to_fractional

   type :: cell_type
      !> False: isolated system, everything below is zero
      logical :: periodic = .false.
      !> Lattice vectors as columns, vectors(:, k) is the k-th one (so in C order the rows are the vectors), Å
      real(dp) :: vectors(3, 3) = 0.0_dp
      !> Inverse of vectors: fractional = matmul(inverse, position), 1/Å
      real(dp) :: inverse(3, 3) = 0.0_dp
   end type cell_type

   real(dp), parameter :: degree = acos(-1.0_dp)/180.0_dp

contains


!> Cell from lengths (Å) and angles (degrees), a along x and b in the xy plane as in Tinker
subroutine new_cell(self, lengths, angles, error)
   type(cell_type), intent(out) :: self
   real(dp), intent(in) :: lengths(3)
   !> alpha, beta, gamma
   real(dp), intent(in) :: angles(3)
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: vectors(3, 3), cosine(3), singamma, rest

   cosine = merge(0.0_dp, cos(angles*degree), angles == 90.0_dp)
   singamma = merge(1.0_dp, sin(angles(3)*degree), angles(3) == 90.0_dp)
   vectors = 0.0_dp
   vectors(1, 1) = lengths(1)
   vectors(1, 2) = lengths(2)*cosine(3)
   vectors(2, 2) = lengths(2)*singamma
   rest = 0.0_dp
   if (singamma > 0.0_dp) then
      vectors(1, 3) = lengths(3)*cosine(2)
      vectors(2, 3) = lengths(3)*(cosine(1) - cosine(2)*cosine(3))/singamma
      rest = lengths(3)**2 - vectors(1, 3)**2 - vectors(2, 3)**2
   end if
   if (any(lengths <= 0.0_dp) .or. rest <= 0.0_dp) then
      call fatal_error(error, "the box has no volume; lengths must be positive and the angles must close a cell")
      return
   end if
   vectors(3, 3) = sqrt(rest)
   call new_cell_from_vectors(self, vectors, error)
end subroutine new_cell


!> Cell from lattice vectors given as columns
subroutine new_cell_from_vectors(self, vectors, error)
   type(cell_type), intent(out) :: self
   !> Lattice vectors as columns, Å
   real(dp), intent(in) :: vectors(3, 3)
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: det

   self%periodic = .true.
   self%vectors = vectors
   det = dot_product(vectors(:, 1), cross(vectors(:, 2), vectors(:, 3)))
   if (.not. det > 1.0e-6_dp) then
      call fatal_error(error, "the box volume is not positive; expected independent, right-handed lattice vectors")
      return
   end if
   self%inverse(1, :) = cross(vectors(:, 2), vectors(:, 3))/det
   self%inverse(2, :) = cross(vectors(:, 3), vectors(:, 1))/det
   self%inverse(3, :) = cross(vectors(:, 1), vectors(:, 2))/det
end subroutine new_cell_from_vectors


!> The cell of an isolated system
pure function open_cell() result(self)
   type(cell_type) :: self

   self%periodic = .false.
end function open_cell


!> Volume in Å³, zero for an isolated system
pure function volume(self)
   type(cell_type), intent(in) :: self
   real(dp) :: volume

   volume = 0.0_dp
   if (self%periodic) volume = dot_product(self%vectors(:, 1), cross(self%vectors(:, 2), self%vectors(:, 3)))
end function volume


!> Distances between opposite faces, Å
pure function widths(self)
   type(cell_type), intent(in) :: self
   real(dp) :: widths(3)

   widths = 1.0_dp/norm2(self%inverse, dim=2)
end function widths


!> Tinker's six box numbers
pure subroutine lengths_and_angles(self, lengths, angles)
   type(cell_type), intent(in) :: self
   real(dp), intent(out) :: lengths(3)
   !> alpha, beta, gamma in degrees
   real(dp), intent(out) :: angles(3)
   integer :: k, a, b
   real(dp) :: cosine

   lengths = norm2(self%vectors, dim=1)
   do k = 1, 3
      a = modulo(k, 3) + 1
      b = modulo(k + 1, 3) + 1
      cosine = dot_product(self%vectors(:, a), self%vectors(:, b))/(lengths(a)*lengths(b))
      angles(k) = acos(max(-1.0_dp, min(1.0_dp, cosine)))/degree
      if (abs(cosine) < 1.0e-14_dp) angles(k) = 90.0_dp
   end do
end subroutine lengths_and_angles


!> Fractional coordinates, not wrapped
pure function to_fractional(self, position) result(fractional)
   type(cell_type), intent(in) :: self
   real(dp), intent(in) :: position(3)
   real(dp) :: fractional(3)

   fractional = matmul(self%inverse, position)
end function to_fractional


pure function cross(a, b)
   real(dp), intent(in) :: a(3), b(3)
   real(dp) :: cross(3)

   cross = [a(2)*b(3) - a(3)*b(2), a(3)*b(1) - a(1)*b(3), a(1)*b(2) - a(2)*b(1)]
end function cross

end module fennix_cell
